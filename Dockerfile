# One image for every service: the framework is installed, the application lies in a folder of its own. The command says
# which service it is: `python -m services.validator`.
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY kafka_saga ./kafka_saga
RUN python -m venv /opt/saga \
    && /opt/saga/bin/pip install --no-cache-dir --constraint constraints.txt ".[cli,tracing,views,console,review]"

FROM python:3.12-slim
RUN useradd --uid 10001 --create-home saga \
    && mkdir -p /var/lib/saga/blobs /var/lib/saga/reviews \
    && chown -R saga:saga /var/lib/saga
COPY --from=build /opt/saga /opt/saga
COPY schemas /opt/app/schemas
COPY topology /opt/app/topology
COPY services /opt/app/services
ENV PATH=/opt/saga/bin:$PATH \
    PYTHONPATH=/opt/app \
    PYTHONUNBUFFERED=1 \
    SAGA_APP=services.app:APP \
    SAGA_HOME=/var/lib/saga \
    SAGA_BLOB_URL=/var/lib/saga/blobs \
    SAGA_REVIEW_DIR=/var/lib/saga/reviews \
    SAGA_HTTP_HOST=0.0.0.0 \
    SAGA_HTTP_PORT=8080
USER saga
WORKDIR /var/lib/saga
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=6 \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(f'http://127.0.0.1:{os.environ[\"SAGA_HTTP_PORT\"]}/healthz', timeout=2)"]
CMD ["saga", "--help"]
