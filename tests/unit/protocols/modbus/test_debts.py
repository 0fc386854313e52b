from protocols.modbus.debts import Debts
from protocols.modbus.question import Question

QUESTION = Question("line unit 7", "holding registers 40001", 7, b"\3\0\0\0\1", 3, byte_count=2)


def test_a_debt_lasts_as_long_again_as_the_answer_might_have_taken() -> None:
    debts = Debts().of("line")
    debts.record(QUESTION, 100.0)
    found = debts.of(7, 102.9)
    assert found
    assert found.question == QUESTION
    assert debts.of(8, 102.9) is None
    assert debts.of(7, 103.0) is None
    assert debts.of(7, 0.0) is None, "it was forgotten"


def test_it_is_settled_by_the_answer_and_known_to_the_line_alone() -> None:
    all_lines = Debts()
    all_lines.of("line").record(QUESTION, 100.0)
    assert all_lines.of("line").of(7, 101.0)
    assert all_lines.of("other").of(7, 101.0) is None
    all_lines.of("line").settle(7)
    all_lines.of("line").settle(7)
    assert all_lines.of("line").of(7, 101.0) is None
