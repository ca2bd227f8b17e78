"""Training of models of assets: what they are fitted to, the fit, and whether they are fit to replace one."""
