"""How much of what is labelled the anomaly score finds, beside plain rules, at a fixed number of false alarms."""
