"""Policy: what an organisation lets a change to a spec do, in rules that are expressions of CEL."""

from typing import Annotated, Any, Literal

from pydantic import Field

from synthspec.spec.base import ApiVersion, Metadata, Model, Name

Cel = Annotated[str, Field(min_length=1, max_length=4000, examples=["new.privacy.eps_budget <= 4.0"])]


class Scope(Model):
    """Which documents are meant: by path (a glob from the folder that the policy governs) and by label. Empty means all."""

    paths: tuple[str, ...] = ()
    labels: tuple[Name, ...] = ()


class PolicyRule(Model):
    """What has to be true of a change; anything but true denies it. Where `when` is false the rule does not ask."""

    id: Name
    when: Cel | None = None
    expr: Cel
    message: str
    severity: Literal["info", "warn", "block"] = "block"
    scope: Scope = Scope()


class Allowance(Model):
    """Which single changes may loosen something: those for which `expr`, over `change`, is true."""

    id: Name
    expr: Cel
    message: str | None = None
    scope: Scope = Scope()


class PolicyExample(Model):
    """A change and what the policy has to say of it: the rules that deny it, the changes (by pointer) that it allows.

    Both sides are the document `spec`, beside the policy, with the values at dotted paths put in their places; null takes
    one away. `old: none` is a document that is new.
    """

    name: str
    spec: str
    old: Literal["none"] | dict[str, Any] = {}
    new: dict[str, Any] = {}
    denies: tuple[Name, ...] = ()
    allows: tuple[str, ...] = ()


class Policy(Model):
    """The policy document."""

    apiVersion: ApiVersion
    kind: Literal["Policy"]
    metadata: Metadata
    scope: Scope = Scope()
    rules: tuple[PolicyRule, ...] = ()
    allow: tuple[Allowance, ...] = ()
    examples: tuple[PolicyExample, ...] = ()
