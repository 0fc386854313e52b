"""Libraries' warnings, and threads that fail, are lines like all others, and tell no secret either."""

import subprocess
import sys

PROGRAM = """
import asyncio, logging, threading
from collector.status.library_lines import take_library_lines
from collector.status.logs import configure_logs

written = configure_logs("DEBUG", "json", None, secrets=["canary-secret"])
take_library_lines()
logging.getLogger("paho").warning("no %s", "canary-secret")
logging.getLogger("paho").info("not told")
def fail():
    raise RuntimeError("canary-secret")
thread = threading.Thread(target=fail, name="worker")
thread.start()
thread.join()
async def forget():
    asyncio.get_running_loop().call_exception_handler({"message": "lost", "exception": ValueError("canary-secret")})
asyncio.run(forget())
written.close()
"""


def test_s5_what_a_library_says_and_a_thread_that_fails_tell_no_secret() -> None:
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert run.stderr == ""
    assert "canary" not in run.stdout
    assert run.stdout.count("a library said") == 2
    assert '"said": "no ***"' in run.stdout
    assert "a thread failed" in run.stdout
    assert "not told" not in run.stdout
