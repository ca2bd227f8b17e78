"""What a site is: YAML files, validated, and the reviewed facts (factors, tariffs) that they refer to."""
