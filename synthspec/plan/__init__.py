"""plan: OpGraph -> Plan. Order, digests, and who computes what. networkx lives behind this door."""

from synthspec.plan.draw import to_dot, to_mermaid
from synthspec.plan.order import OpOffer, plan

__all__ = ["OpOffer", "plan", "to_dot", "to_mermaid"]
