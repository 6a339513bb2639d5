# One image for every service; the command says which: `python -m services.validator`.
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY schemas ./schemas
COPY topology ./topology
COPY services ./services
RUN python -m venv /opt/saga \
    && /opt/saga/bin/pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.12-slim
RUN useradd --uid 10001 --create-home saga \
    && mkdir -p /var/lib/saga/blobs /var/lib/saga/reviews \
    && chown -R saga:saga /var/lib/saga
COPY --from=build /opt/saga /opt/saga
ENV PATH=/opt/saga/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SAGA_HOME=/var/lib/saga \
    SAGA_BLOB_URL=/var/lib/saga/blobs \
    SAGA_REVIEW_DIR=/var/lib/saga/reviews \
    SAGA_HTTP_HOST=0.0.0.0 \
    SAGA_HTTP_PORT=8080
USER saga
WORKDIR /var/lib/saga
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=6 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
CMD ["saga", "--help"]
