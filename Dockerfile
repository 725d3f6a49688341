# Build, then run: the image holds the code and what it runs on, no compiler, no build tools, no settings and no secrets.
# It starts in the run phase only; the database is migrated by `twokey admin migrate`, never by building or starting
# (the embedded SQLite default apart, which is one process's own).
#
#   docker build -t twokey .
#   docker run --env-file .env -p 8080:8080 -v twokey:/data twokey
#
# Runs as a user without rights and with a read-only root (`--read-only --tmpfs /tmp`); only /data is written to.

ARG PYTHON=3.13
FROM python:${PYTHON}-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /venv && python -m venv /builder

COPY requirements.lock requirements-build.lock ./
RUN /venv/bin/python -m pip install --require-hashes -r requirements.lock && \
    /builder/bin/python -m pip install --require-hashes -r requirements-build.lock

COPY . .
RUN /builder/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . && \
    /venv/bin/python -m pip install --no-deps --no-index /wheel/*.whl && \
    /venv/bin/python -m pip uninstall --yes pip


FROM python:${PYTHON}-slim

ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DATABASE_URL=sqlite+aiosqlite:////data/twokey.db \
    PORT=8080

RUN groupadd --system --gid 10001 twokey && \
    useradd --system --uid 10001 --gid twokey --home-dir /app --shell /usr/sbin/nologin twokey && \
    install --directory --owner=twokey --group=twokey /data

COPY --from=build /venv /venv

# The deployment's own files, as they are in the repository; mount your own over them, or build them in.
WORKDIR /app
COPY *.yaml ./
COPY prompts ./prompts
COPY tools ./tools

USER 10001:10001
VOLUME /data
EXPOSE 8080

HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=2)"]

ENTRYPOINT ["twokey"]
CMD ["run"]
