"""Databases of a test's own, on any PostgreSQL server."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from tests.servers.ports import unique_name

ROLE_PASSWORDS = {role: f"of-the-role-{role}" for role in ("writer", "reader", "grafana", "sender", "operator")}
"""Roles are the cluster's and not a database's: tests that log in as them all give them the same passwords."""


def create_database(admin: str) -> str:
    """Create a database with a unique name on the server that the DSN `admin` names; return its DSN, a URL."""
    name = unique_name("kilowatch")
    # template0, because a session of somebody in template1 would be in the way.
    _run(admin, sql.SQL("create database {} template template0 encoding 'UTF8'").format(sql.Identifier(name)))
    return url(**{**conninfo_to_dict(admin), "dbname": name})


def as_role(dsn: str, role: str, password: str) -> str:
    """DSN of the same database for another role."""
    return url(**{**conninfo_to_dict(dsn), "user": role, "password": password})


def drop_database(admin: str, dsn: str) -> None:
    """Drop a database that `create_database` made, and end the sessions in it."""
    name = str(conninfo_to_dict(dsn)["dbname"])
    _run(admin, sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def url(
    *, dbname: str, host: str = "", port: int | str = "", user: str = "", password: str = "", **more: object
) -> str:
    """`postgresql://user:password@host:port/dbname?more`; what is empty is left out."""
    secret = f":{quote(password, safe='')}" if password else ""
    who = f"{quote(user, safe='')}{secret}@" if user else ""
    # A host that is a folder, with the server's socket in it, stands among the parameters.
    where = "" if host.startswith("/") else f"[{host}]" if ":" in host else host
    given = {**({"host": host} if host.startswith("/") else {}), **more}
    tail = f"?{urlencode(given)}" if given else ""
    return f"postgresql://{who}{where}{f':{port}' if port else ''}/{quote(dbname, safe='')}{tail}"


def _run(admin: str, statement: sql.Composed) -> None:
    with psycopg.connect(admin, autocommit=True, connect_timeout=10) as session:
        session.execute(statement)
