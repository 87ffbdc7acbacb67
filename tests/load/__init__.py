"""`make test-load`: pages of PHP-FPM behind nginx, under load, while the sidecar is reloaded and restarted."""
