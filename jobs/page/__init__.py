"""The dashboards in a browser without Grafana: queries as strict as its data source, served on loopback."""
