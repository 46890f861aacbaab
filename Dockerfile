# Two stages: the first builds an environment and prepares the encoder, the second only carries them.
# For linux/amd64, where the packaged encoder is to be had. Nothing is downloaded when a container runs.

FROM python:3.11-slim-bookworm AS build

ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    VIRTUAL_ENV=/opt/tocsin \
    PATH=/opt/tocsin/bin:$PATH
RUN python -m venv /opt/tocsin

# Where your index offers a CPU build of its own, name it: --build-arg TORCH_ARGS="--index-url URL".
ARG TORCH_ARGS=""
# hadolint ignore=DL3013,SC2086
RUN pip install ${TORCH_ARGS} torch==2.13.0

# The dependencies alone, so that a change of our code does not install them again.
WORKDIR /src
COPY pyproject.toml README.md LICENSE NOTICE ./
RUN mkdir service models training \
    && touch service/__init__.py models/__init__.py training/__init__.py \
    && pip install .

COPY service service
COPY models models
COPY training training
RUN pip install --no-deps --force-reinstall .

ENV TOCSIN_CACHE=/opt/tocsin/cache
RUN tocsin prepare --cache "${TOCSIN_CACHE}"


FROM python:3.11-slim-bookworm

RUN groupadd --system --gid 10001 tocsin \
    && useradd --system --uid 10001 --gid 10001 --home-dir /data --create-home --shell /usr/sbin/nologin tocsin
COPY --from=build /opt/tocsin /opt/tocsin
COPY LICENSE NOTICE /opt/tocsin/

ENV PATH=/opt/tocsin/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HF_HUB_OFFLINE=1 \
    TOCSIN_CACHE=/opt/tocsin/cache \
    TOCSIN_DATA_DIR=/data

USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8765

HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8765/livez', timeout=2)"]

# Bound to every address, so keys are asked for: give the first one as TOCSIN_ADMIN_KEY.
CMD ["tocsin", "serve", "--host", "0.0.0.0"]
