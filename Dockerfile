# The bot and the worker, one image, without the practice company: `docker build -t mayday .`
#
# Without a network, or behind a proxy with a certificate of its own, let pip fetch everything outside first:
#     .venv/bin/pip wheel --constraint constraints.txt --wheel-dir wheels . setuptools async-timeout
# with a Python of the same minor version as that of BASE; Python before 3.11.3, as in Debian 12, wants async-timeout.
# The build takes the folder wheels/ when it is there and then asks nobody.
# BASE may be any Debian or Ubuntu image that has Python 3.11 or newer with its venv module.
ARG BASE=python:3.11-slim-bookworm
FROM ${BASE}

ENV PYTHONUNBUFFERED=1 PATH=/opt/mayday/bin:$PATH
# The worker's rights come from the Docker socket and its group, not from being root in here.
RUN useradd --uid 10001 --user-group --create-home mayday \
 && install -d -o mayday -g mayday /var/lib/mayday

WORKDIR /src
COPY constraints.txt pyproject.toml mayday.py wheel[s] ./wheels/
COPY actions actions
COPY bot bot
COPY workers workers
COPY docs/errors.md docs/
RUN mv wheels/constraints.txt wheels/pyproject.toml wheels/mayday.py . \
 && if ls wheels/*.whl >/dev/null 2>&1; then export PIP_NO_INDEX=1 PIP_FIND_LINKS=/src/wheels; fi \
 && python3 -m venv /opt/mayday \
 && /opt/mayday/bin/pip install --no-cache-dir --disable-pip-version-check --constraint constraints.txt . \
 && mayday --help >/dev/null \
 && rm -rf /src/*

USER mayday
WORKDIR /var/lib/mayday
ENV MAYDAY_CONFIG=/etc/mayday/mayday.toml MAYDAY_STORE=sqlite:////var/lib/mayday/mayday.db
VOLUME /var/lib/mayday
ENTRYPOINT ["mayday"]
CMD ["--help"]
