"""Dashboards as code: one source, a classic Grafana dashboard in each language."""
