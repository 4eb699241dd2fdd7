"""The surface language: pydantic models of EngineSpec, SRef and Policy. The JSON Schemas come from here."""
