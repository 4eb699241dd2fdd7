"""The frozen nouns that flow between the stages."""
