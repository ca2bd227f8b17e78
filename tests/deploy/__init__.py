"""What an operator starts: compose, image, manifests, units."""
