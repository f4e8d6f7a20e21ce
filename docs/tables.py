"""Makes the tables that are taken from the code: `python -m docs.tables` writes them into their pages."""

import ast
import inspect
import itertools
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from deploy.migrate import MigrateSettings
from deploy.topics import TopicSettings
from services.autoqa.flags import SEVERITIES
from services.autoqa.settings import AutoqaSettings
from services.ingest.settings import IngestSettings
from services.metrics.settings import MetricsSettings
from shared.domain.flag import FlagKind
from shared.domain.kpi import FcrDefinition, metrics
from shared.settings import KafkaSettings, ServiceSettings

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = (ROOT / "README.md", ROOT / "docs/scoring.md")
_PLACE: Final = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end of table -->)", re.S)


def settings() -> str:
    """Every environment variable."""
    rows = ["| Variable | Default | Meaning |", "|---|---|---|"]
    rows += ["| **each service**: `<S>` is `INGEST`, `AUTOQA` or `METRICS` | | |"]
    common = {name for name in ServiceSettings.model_fields if name != "port"}
    rows += _rows("<S>_", ServiceSettings, only=common)
    for service in (IngestSettings, AutoqaSettings, MetricsSettings):
        prefix = str(service.model_config["env_prefix"])
        rows += [f"| **{prefix.removesuffix('_').lower()}** | | |"]
        rows += _rows(prefix, service, only=set(service.model_fields) - common)
    rows += ["| **`python -m deploy.migrate`**, besides `MIGRATE_DATABASE__…` with the fields above | | |"]
    rows += _rows("MIGRATE_", MigrateSettings, only=set(MigrateSettings.model_fields) - {"database"})
    rows += ["| **`python -m deploy.topics`**, besides `TOPICS_…` with the fields of `<S>_KAFKA__…` | | |"]
    own = set(TopicSettings.model_fields) - set(KafkaSettings.model_fields)
    rows += _rows("TOPICS_", TopicSettings, only=own)
    return "\n".join(rows)


def kpis() -> str:
    """Every KPI with its formula."""
    rows = ["| KPI | Unit | What it is |", "|---|---|---|"]
    for name, metric in metrics(FcrDefinition.NO_REOPEN).items():
        if name != "fcr":
            rows.append(f"| `{name}` | {metric.unit} | {_one_line(metric.explanation)} |")
    return "\n".join(rows)


_MEANINGS: Final = {
    FlagKind.VULNERABILITY: "needs care: self-harm, acute illness, bereavement, hardship, being threatened",
    FlagKind.AGENT_ABUSE: "an agent's message is abusive",
    FlagKind.LEGAL: "legal steps, a lawyer, court, police, regulator or ombudsman against the company",
    FlagKind.DATA_PROTECTION: "access or erasure, objection to data use, a leak, a hijacked account",
    FlagKind.CHURN: "says or threatens to cancel, leave or switch",
    FlagKind.UNANSWERED: "the customer's last words needed an answer and got none",
    FlagKind.ESCALATION: "asks for a supervisor or for a formal complaint to be recorded",
    FlagKind.PUBLICITY: "announces or threatens a bad review, press or a post",
    FlagKind.PAYMENT_DISPUTE: "contests a charge, demands an overdue or refused refund, a chargeback",
    FlagKind.ABUSE: "insults, slurs, threats or degrading language; cursing at the situation is none",
    FlagKind.REPEAT_CONTACT: "says that they contacted support about this before without success",
}


def severities() -> str:
    """Every flag, most severe first."""
    rows = ["| Flag | Severity | The customer, or the conversation |", "|---|---|---|"]
    for kind, severity in sorted(SEVERITIES.items(), key=lambda item: -item[1].rank):
        rows.append(f"| `{kind}` | {severity} | {_MEANINGS[kind]} |")
    return "\n".join(rows)


TABLES: Final[Mapping[str, Callable[[], str]]] = {
    "settings": settings,
    "kpis": kpis,
    "severities": severities,
}


def with_tables(text: str) -> str:
    """`text` with what stands between the marks of a table made anew."""
    return _PLACE.sub(lambda place: f"{place[1]}{TABLES[place[2]]()}\n{place[3]}", text)


def _rows(prefix: str, model: type[BaseModel], *, only: set[str] | None = None) -> Iterator[str]:
    meanings = _meanings(model)
    for name, field in model.model_fields.items():
        if only is not None and name not in only:
            continue
        variable = f"{prefix}{name.upper()}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _rows(f"{variable}__", field.annotation)
        else:
            default = field.get_default(call_default_factory=True, validated_data={})
            yield f"| `{variable}` | {_default(default, field.annotation)} | {meanings[name]} |"


def _default(value: object, annotation: object) -> str:
    if value is PydanticUndefined:
        return "secret, required" if annotation is SecretStr else "required"
    if value is None or value == {}:
        return ""
    if isinstance(value, Path) and value.is_absolute() and value.is_relative_to(ROOT):
        value = value.relative_to(ROOT)
    if isinstance(value, timedelta):
        minutes, seconds = divmod(int(value.total_seconds()), 60)
        value = f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    return f"`{value}`"


def _meanings(model: type[BaseModel]) -> dict[str, str]:
    """The docstrings under the fields, those of base classes included."""
    found: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if kind.__module__.partition(".")[0] not in {"shared", "services", "deploy"}:
            continue
        [body] = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
        lines = body.body if isinstance(body, ast.ClassDef) else []
        for field, below in itertools.pairwise(lines):
            match field, below:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    found[name] = _one_line(text)
    return found


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(with_tables(page.read_text()))
