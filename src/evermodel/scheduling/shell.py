"""DVC's commands, run to their end even when this process is told to stop."""

import os
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from configobj import ConfigObj  # comes with DVC, which reads its settings with it

from evermodel import workers

# DVC gives a stage's command to this shell: what its caches can't answer fails, but for one stage.
SHELL = Path(__file__).with_name("only.sh")
CONFIG = Path(".dvc/config.local")


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    code: int
    output: str

    @property
    def failed(self) -> str:
        """The first stage that DVC could not reproduce; "" if there is none."""
        found = re.search(r"failed to reproduce '(.+?)'", self.output)
        return found[1] if found else ""

    @property
    def began(self) -> list[str]:
        """The stages whose commands DVC gave to the shell."""
        return re.findall(r"^Running stage '(.+)':", self.output, re.MULTILINE)

    @property
    def last_words(self) -> str:
        """The last line that says anything."""
        return next((line for line in reversed(self.output.splitlines()) if line.strip()), "nothing")


def dvc(*arguments: str) -> Done:
    """Run a command and show what it says."""
    return _wait(_start(arguments), shown=True)


def restore(*arguments: str) -> Done:
    """Let `dvc repro` take from the local and the remote cache what it can, and run nothing."""
    return _wait(_repro(arguments, only=""), shown=False)


def make(stage: str) -> Done:
    """Do the same, but run the commands of this one stage if its result is in no cache."""
    return _wait(_repro((stage,), only=stage), shown=True)


def has_remote() -> bool:
    """Whether DVC has a remote that is used where none is named."""
    done = subprocess.run([*workers.DVC, "remote", "default"], capture_output=True, check=False)
    return done.returncode == 0


def use_remote(address: str) -> None:
    """What `dvc remote add --local --default` writes, without its half second: each task asks for it."""
    settings = ConfigObj(
        {"core": {"remote": "evermodel"}, 'remote "evermodel"': {"url": address}}, encoding="utf-8"
    )
    with CONFIG.open("wb") as file:
        settings.write(file)


def _repro(arguments: tuple[str, ...], only: str) -> subprocess.Popen[str]:
    return _start(("repro", "--pull", *arguments), SHELL=str(SHELL), EVERMODEL_ONLY=only)


def _start(arguments: tuple[str, ...], **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*workers.DVC, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=os.environ | environment,
    )


def _wait(process: subprocess.Popen[str], shown: bool) -> Done:
    # Airflow tells the whole process group to end. A stage does that by itself, and is waited for.
    signal.signal(signal.SIGTERM, lambda *_: None)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if shown or "is cached" in line or "Pulling data" in line:
            print(line, end="", flush=True)
    return Done(process.wait(), "".join(lines))
