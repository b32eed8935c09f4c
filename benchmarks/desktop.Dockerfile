# The desktop that both sides show, and what shows it in stock JupyterHub, as anybody would add it.
ARG IMAGE
FROM ${IMAGE}
USER root
COPY certificates /certificates
# Without ours: it would answer at the same address, and be measured beside itself.
RUN uv pip uninstall --python /opt/python/bin/python drybench-session
RUN SSL_CERT_FILE=/certificates uv pip install --no-cache --compile-bytecode --python /opt/python/bin/python \
    jupyter-remote-desktop-proxy
USER 1000
