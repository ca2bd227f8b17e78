"""What is wrong with a dashboard, told without a Grafana server and without a store."""
