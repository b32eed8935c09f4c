# The image that both sides run notebooks in, and papermill, as anybody would add it.
ARG IMAGE
FROM ${IMAGE}
USER root
COPY certificates /certificates
RUN SSL_CERT_FILE=/certificates uv pip install --no-cache --compile-bytecode --python /opt/python/bin/python papermill
USER 1000
