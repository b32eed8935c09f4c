"""What speaks with JupyterHub from its inside; the only importer of jupyterhub."""
