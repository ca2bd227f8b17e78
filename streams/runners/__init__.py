"""What drives the pipeline: files in process, and the audit replay."""
