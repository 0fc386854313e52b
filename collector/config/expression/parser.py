"""From an expression's text to what reckons it: Python's own precedences, a small part of its grammar."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from collector.config.expression.arithmetic import (
    BINARY,
    COMPARISONS,
    NotANumber,
    Number,
    absolute,
    average,
    finite,
    reckon,
    rounded,
)
from collector.config.expression.words import Kind, Word, brief, words_of
from protocols.errors import Refused

MOST_STEPS = 500
"""Numbers, names, operators and calls of one expression: what one reckoning may cost."""

MOST_NESTED = 40
MOST_BITS_OF_RESULT = 64

Term: TypeAlias = Callable[[Sequence[Number]], Number]


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression. `names` are the tags it names, each once, in the order of their first appearance."""

    text: str
    names: tuple[str, ...] = field(compare=False)
    _reckon: Term = field(compare=False, repr=False)

    def value(self, inputs: Sequence[Number]) -> Number:
        """Its value for these values of `names`. Raises `NotANumber`, also for an integer of more than 64 bits."""
        value = self._reckon(inputs)
        if isinstance(value, int) and not -(1 << MOST_BITS_OF_RESULT - 1) <= value < 1 << MOST_BITS_OF_RESULT:
            raise NotANumber
        return value


def parse_expression(text: str) -> Expression:
    """Parse. Raises `Refused` on ``expression``, which says at which character and what was expected."""
    parser = _Parser(text)
    term = parser.whole()
    return Expression(text, tuple(parser.names), term)


@dataclass(frozen=True, slots=True)
class _Function:
    call: Callable[..., Number]
    least: int
    most: int


def _least(*values: Number) -> Number:
    return min(values)


def _most(*values: Number) -> Number:
    return max(values)


_FUNCTIONS: Mapping[str, _Function] = {
    "min": _Function(_least, 1, MOST_STEPS),
    "max": _Function(_most, 1, MOST_STEPS),
    "avg": _Function(average, 1, MOST_STEPS),
    "abs": _Function(absolute, 1, 1),
    "round": _Function(rounded, 1, 2),
}


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._words = tuple(words_of(text))
        self._next = 0
        self._steps = 0
        self._nested = 0
        self.names: dict[str, int] = {}

    def whole(self) -> Term:
        term = self._choice()
        if self._word.kind is not Kind.END:
            raise self._unexpected("an operator or the end")
        return term

    def _choice(self) -> Term:
        with _Nesting(self):
            chosen = self._any_of()
            if not self._take("if"):
                return chosen
            condition = self._any_of()
            self._must("else")
            other = self._choice()
            self._step()
            return lambda inputs: chosen(inputs) if condition(inputs) else other(inputs)

    def _any_of(self) -> Term:
        left = self._all_of()
        while self._take("or"):
            left = self._either(left, self._all_of())
        return left

    def _all_of(self) -> Term:
        left = self._negated()
        while self._take("and"):
            left = self._both(left, self._negated())
        return left

    def _either(self, left: Term, right: Term) -> Term:
        self._step()
        return lambda inputs: bool(left(inputs)) or bool(right(inputs))

    def _both(self, left: Term, right: Term) -> Term:
        self._step()
        return lambda inputs: bool(left(inputs)) and bool(right(inputs))

    def _negated(self) -> Term:
        if not self._take("not"):
            return self._compared()
        with _Nesting(self):
            term = self._negated()
        self._step()
        return lambda inputs: not term(inputs)

    def _compared(self) -> Term:
        first = self._sum()
        others: list[tuple[Callable[[Number, Number], bool], Term]] = []
        while sign := self._take(*COMPARISONS):
            self._step()
            others.append((COMPARISONS[sign], self._sum()))
        if not others:
            return first
        return partial(_in_a_chain, first, tuple(others))

    def _sum(self) -> Term:
        left = self._product()
        while sign := self._take("+", "-"):
            left = self._operation(sign, left, self._product())
        return left

    def _product(self) -> Term:
        left = self._signed()
        while sign := self._take("*", "/", "%"):
            left = self._operation(sign, left, self._signed())
        return left

    def _signed(self) -> Term:
        sign = self._take("-", "+")
        if sign is None:
            return self._power()
        with _Nesting(self):
            term = self._signed()
        self._step()
        return (lambda inputs: -term(inputs)) if sign == "-" else (lambda inputs: +term(inputs))

    def _power(self) -> Term:
        base = self._atom()
        if not self._take("**"):
            return base
        with _Nesting(self):
            return self._operation("**", base, self._signed())

    def _operation(self, sign: str, left: Term, right: Term) -> Term:
        self._step()
        operation = BINARY[sign]
        return lambda inputs: reckon(operation, left(inputs), right(inputs))

    def _atom(self) -> Term:
        self._step()
        word = self._word
        if self._take("("):
            inner = self._choice()
            self._must(")")
            return inner
        if self._take("true", "false"):
            return _constant(word.text == "true")
        match word.kind:
            case Kind.NUMBER:
                self._next += 1
                return _constant(self._number(word))
            case Kind.NAME:
                self._next += 1
                return self._named(word)
            case _:
                raise self._unexpected("a number, a tag's name, a function or '('")

    def _named(self, word: Word) -> Term:
        if not word.bracketed and self._take("("):
            return self._call(word)
        position = self.names.setdefault(word.text, len(self.names))
        return lambda inputs: inputs[position]

    def _call(self, word: Word) -> Term:
        function = _FUNCTIONS.get(word.text.lower())
        if function is None:
            raise self._refused(f"{word.text!r} at character {word.at} is no function", ", ".join(_FUNCTIONS))
        terms = [self._choice()]
        while self._take(","):
            terms.append(self._choice())
        self._must(")")
        if not function.least <= len(terms) <= function.most:
            found = f"{word.text!r} at character {word.at} is given {len(terms)} values"
            raise self._refused(found, f"{function.least} to {function.most}")
        call, given = function.call, tuple(terms)
        return lambda inputs: call(*[term(inputs) for term in given])

    def _number(self, word: Word) -> Number:
        try:
            return finite(int(word.text) if word.text.isdigit() else float(word.text))
        except (NotANumber, ValueError):
            raise self._refused(f"the number at character {word.at} is too large", "one in a double's range") from None

    @property
    def _word(self) -> Word:
        return self._words[self._next]

    def _take(self, *signs: str) -> str | None:
        word = self._word
        if word.kind is not Kind.SIGN or word.text not in signs:
            return None
        self._next += 1
        return word.text

    def _must(self, sign: str) -> None:
        if self._take(sign) is None:
            raise self._unexpected(repr(sign))

    def _step(self) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise Refused("expression", f"the expression has more than {MOST_STEPS} parts; expected a shorter one")

    def nest(self, by: int) -> None:
        """Go in or out. Raises `Refused` where it is too deep."""
        self._nested += by
        if self._nested > MOST_NESTED:
            raise Refused("expression", f"the expression nests more than {MOST_NESTED} deep; expected a simpler one")

    def _unexpected(self, expected: str) -> Refused:
        word = self._word
        found = word.text if word.kind is Kind.END else repr(word.text)
        return self._refused(f"found {found} at character {word.at}", expected)

    def _refused(self, found: str, expected: str) -> Refused:
        return Refused("expression", f"{brief(self._text)} can not be read: {found}; expected {expected}")


@dataclass(frozen=True, slots=True)
class _Nesting:
    parser: _Parser

    def __enter__(self) -> None:
        self.parser.nest(1)

    def __exit__(self, *_failure: object) -> None:
        self.parser.nest(-1)


def _constant(value: Number) -> Term:
    return lambda _inputs: value


def _in_a_chain(
    first: Term, others: Sequence[tuple[Callable[[Number, Number], bool], Term]], inputs: Sequence[Number]
) -> bool:
    """``a < b < c`` as Python means it; what follows the first that does not hold is not reckoned."""
    left = first(inputs)
    for holds, term in others:
        right = term(inputs)
        if not holds(left, right):
            return False
        left = right
    return True
