"""The offline shell: prepare, synthesise, cluster, calibrate, replay counts, publish."""
