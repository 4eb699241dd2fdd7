"""The surface language: pydantic models of EngineSpec, SRef and Policy. The JSON Schemas come from here.

Its modules do without ``from __future__ import annotations``, as those of the manifest do: pydantic would have to compile each
annotation from its text again, a fifth of what loading them takes.
"""
