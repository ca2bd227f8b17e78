"""Multivariate models of assets, scored from plain parameters."""
