"""The tables, one per shape, as the newest migration leaves them; and every statement used."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Executable,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

# Order of code points everywhere: SQLite compares the bytes of UTF-8 by itself, PostgreSQL if told.
NAME: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")
# SQLite numbers rows by itself only in a column that is declared INTEGER PRIMARY KEY.
ID: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")

METADATA = MetaData()
VALUE = Table(
    "value",
    METADATA,
    Column("shape", NAME, primary_key=True),
    Column("owner", NAME, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    Index("value_owner", "owner"),
)
ENTRY = Table(
    "entry",
    METADATA,
    Column("owner", NAME, primary_key=True),
    Column("shape", NAME, primary_key=True),
    Column("key", NAME, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
RECORD = Table(
    "record",
    METADATA,
    Column("id", ID, primary_key=True),
    Column("owner", NAME, nullable=False),
    Column("shape", NAME, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Index("record_owner", "owner", "shape", "id"),
    # An id that was deleted is not given to another record.
    sqlite_autoincrement=True,
)


class Rows(Enum):
    """What a statement that writes says for one set of parameters."""

    NONE = auto()
    """Nothing."""
    ONE_EACH = auto()
    """The value in the one row it returns."""
    MAYBE = auto()
    """Whether it returns a row."""


class Statement(NamedTuple):
    """A statement that writes."""

    sql: Executable
    rows: Rows = Rows.NONE


_OF_OWNER = {
    table: (table.c.shape == bindparam("_shape")) & (table.c.owner == bindparam("_owner"))
    for table in (VALUE, ENTRY, RECORD)
}

GET_VALUE = select(VALUE.c.value).where(_OF_OWNER[VALUE])
GET_VALUES = select(VALUE.c.owner, VALUE.c.value).where(
    VALUE.c.shape == bindparam("_shape"), VALUE.c.owner.in_(bindparam("_owners", expanding=True))
)
GET_OWNERS = (
    select(VALUE.c.owner)
    .where(VALUE.c.shape == bindparam("_shape"), VALUE.c.owner > bindparam("_after"))
    .order_by(VALUE.c.owner)
    .limit(bindparam("_limit"))
)
DELETE_VALUE = Statement(delete(VALUE).where(_OF_OWNER[VALUE]))

GET_ENTRY = select(ENTRY.c.value).where(_OF_OWNER[ENTRY], ENTRY.c.key == bindparam("_key"))
GET_ENTRIES = select(ENTRY.c.key, ENTRY.c.value).where(_OF_OWNER[ENTRY]).order_by(ENTRY.c.key)
DELETE_ENTRY = Statement(delete(ENTRY).where(_OF_OWNER[ENTRY], ENTRY.c.key == bindparam("_key")))

ADD_RECORD = Statement(
    insert(RECORD).returning(RECORD.c.id, sort_by_parameter_order=True), Rows.ONE_EACH
)
GET_RECORDS = (
    select(RECORD.c.id, RECORD.c.at, RECORD.c.value)
    .where(_OF_OWNER[RECORD], RECORD.c.id > bindparam("_after"))
    .order_by(RECORD.c.id)
    .limit(bindparam("_limit"))
)
COUNT_RECORDS = select(func.count()).select_from(RECORD).where(_OF_OWNER[RECORD])
DELETE_RECORD = Statement(delete(RECORD).where(_OF_OWNER[RECORD], RECORD.c.id == bindparam("_id")))

FORGET = tuple(
    Statement(delete(table).where(table.c.owner == bindparam("_owner")))
    for table in (VALUE, ENTRY, RECORD)
)


class Upserts:
    """Statements whose grammar the dialects have of their own."""

    def __init__(self, dialect: str) -> None:
        # The types of the two are alike, but only by what they can do.
        make: Any = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[dialect]
        value, entry = make(VALUE), make(ENTRY)
        self.set_value = Statement(
            value.on_conflict_do_update(
                index_elements=["shape", "owner"], set_={"value": value.excluded.value}
            )
        )
        self.add_value = Statement(
            value.on_conflict_do_nothing().returning(VALUE.c.owner), Rows.MAYBE
        )
        self.set_entry = Statement(
            entry.on_conflict_do_update(
                index_elements=["owner", "shape", "key"], set_={"value": entry.excluded.value}
            )
        )
