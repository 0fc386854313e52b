"""The texts of all variables: the real environment over the file, secrets from their own files."""

import difflib
import re
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from collector.settings.envfile import Gathered, open_to_others, read_env_file
from collector.settings.model import VARIABLES
from collector.settings.problems import Problem
from collector.settings.urls import UNPRINTABLE
from collector.settings.values import HEADER_TOKEN, SECRET

MAX_SECRET_BYTES = 64 * 1024
FILE_FORMS = {f"{name}_FILE": name for name, variable in VARIABLES.items() if variable.secret}
KNOWN = frozenset(VARIABLES) | frozenset(FILE_FORMS)


def gather(env_file: Path | None, environ: Mapping[str, str]) -> Gathered:
    """One text for each variable that is set, under its own name (never its `_FILE` form). Raises nothing."""
    gathered = read_env_file(env_file, KNOWN)
    _hint_at_slips(gathered, environ)
    gathered.values = {name: text for name, text in gathered.values.items() if name in KNOWN and text.strip()}
    for name in KNOWN & environ.keys():
        if text := _plain(name, environ[name], gathered):
            gathered.values[name] = text
    for form, name in FILE_FORMS.items():
        _take_secret_file(form, name, gathered)
    _check_texts(gathered)
    return gathered


def checked(values: Mapping[str, str]) -> Gathered:
    """The same of values that come from nowhere else. Raises nothing."""
    gathered = Gathered({name: text for name, text in values.items() if text.strip()})
    for form, name in FILE_FORMS.items():
        _take_secret_file(form, name, gathered)
    _check_texts(gathered)
    return gathered


def file_variables(env_file: Path | None, environ: Mapping[str, str]) -> Mapping[str, str]:
    """What ``${NAME}`` in a document may ask for: all that the `.env` file says, and the real environment over it."""
    return {**read_env_file(env_file, KNOWN).values, **environ}


def _plain(name: str, text: str, gathered: Gathered) -> str:
    """The value of a real variable; `docker run --env-file` hands over quotes and comments as they are."""
    if _verbatim(name):
        if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
            gathered.warnings.append(Problem(name, "begins and ends with a quote, which is taken as a part of it"))
        return text if text.strip() else ""
    text = text.strip()
    if quoted := re.fullmatch(r"""(["'])(.*?)\1(\s+#.*)?""", text, re.DOTALL):
        return quoted[2].strip()
    return re.sub(r"(^|\s+)#.*", "", text)


def _verbatim(name: str) -> bool:
    return name in VARIABLES and VARIABLES[name].reader in (SECRET, HEADER_TOKEN)


def _take_secret_file(form: str, name: str, gathered: Gathered) -> None:
    named = gathered.values.pop(form, None)
    if named is None:
        return
    if name in gathered.values:
        gathered.problems.append(Problem(name, f"is set, and {form} too; expected only one of them"))
        return
    try:
        gathered.values[name] = read_secret(Path(named))
        gathered.secret_files[name] = Path(named)
        if warning := open_to_others(Path(named)):
            gathered.warnings.append(warning)
    except UnicodeDecodeError:
        gathered.problems.append(Problem(form, "the file is not UTF-8 text"))
    except OSError as error:
        # The value is not quoted: it may be the secret itself, put under the wrong name.
        gathered.problems.append(Problem(form, f"expected the path of a readable file: {error.strerror}"))
    except ValueError as error:
        gathered.problems.append(Problem(form, f"expected the path of a file with the secret: {error}"))


def read_secret(path: Path) -> str:
    """The secret in a file, without the end of its line. Raises `OSError`, and `ValueError` for what can be none."""
    if "\0" in str(path):
        raise ValueError("no file can have this name")
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("it is not a regular file")
    with path.open("rb") as file:
        raw = file.read(MAX_SECRET_BYTES + 1)
    if len(raw) > MAX_SECRET_BYTES:
        raise ValueError("it is over 64 KiB")
    text = raw.decode("utf-8-sig").rstrip("\r\n")
    if not text.strip():
        raise ValueError("it is empty")
    return text


def renewed_secret(file: Path | None, hide: Callable[[str], None] | None) -> str | None:
    """What the file has now, told to `hide` first; None where it can not be read: the old one may still do. Blocks."""
    if file is None:
        return None
    try:
        secret = read_secret(file)
    except (OSError, ValueError):
        return None
    if hide is not None:
        hide(secret)
    return secret


def _check_texts(gathered: Gathered) -> None:
    for name, text in tuple(gathered.values.items()):
        _check_text(name, text, gathered)


def _check_text(name: str, text: str, gathered: Gathered) -> None:
    if UNPRINTABLE.search(text):
        del gathered.values[name]
        message = "has a control character or bytes that are not UTF-8; expected plain text in one line"
        gathered.problems.append(Problem(name, message))
    elif not _verbatim(name):
        gathered.values[name] = text.strip()


def _hint_at_slips(gathered: Gathered, environ: Mapping[str, str]) -> None:
    set_here = gathered.values.keys() | environ.keys()
    for name in sorted(set_here - KNOWN):
        meant = difflib.get_close_matches(name.upper(), KNOWN - set_here, n=1, cutoff=0.86)
        if meant and name.isprintable():
            gathered.warnings.append(Problem(name, f"is not one of the variables; did you mean {meant[0]}?"))
