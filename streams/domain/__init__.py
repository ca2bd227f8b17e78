"""The nouns of the field: frozen types, units, quality flags and findings. Standard library only."""
