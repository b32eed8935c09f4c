# The image that both sides run notebooks in, and papermill, as anybody would add it; and once more beside nothing else.
ARG IMAGE
FROM ${IMAGE}
USER root
COPY certificates /certificates
ENV UV_NO_CACHE=1 UV_COMPILE_BYTECODE=1
RUN export SSL_CERT_FILE=/certificates \
    && uv pip install --python /opt/python/bin/python papermill \
    && uv venv --python /usr/bin/python3 /opt/papermill \
    && uv pip install --python /opt/papermill/bin/python papermill ipykernel
USER 1000
