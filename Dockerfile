# The controller: `gridwright run /policy --connections FILE`. The embedded fleet is not in it.
# It runs as nobody in particular and writes nowhere but to what is mounted at /data, so its root may be read-only.
# SOURCE_DATE_EPOCH stands for the time wherever a file would have it in it; what of caches and logs has it all the same is
# removed, so that a second build comes to the same layers.
ARG BASE=debian:bookworm-slim
ARG SOURCE_DATE_EPOCH=0

FROM ${BASE} AS python
ARG SOURCE_DATE_EPOCH
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3 \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/ldconfig/* /var/log/* /var/cache/debconf/*-old /var/lib/dpkg/*-old

FROM python AS build
ARG SOURCE_DATE_EPOCH
RUN apt-get update && apt-get install --yes --no-install-recommends binutils python3-venv
WORKDIR /build
COPY pyproject.toml requirements.lock ./
# The client of Kubernetes comes twice, and the one for asyncio is not used.
# The secret `ca` is for builders behind a proxy with a certificate authority of its own; without it nothing changes.
RUN --mount=type=secret,id=ca \
    if [ -f /run/secrets/ca ]; then export SSL_CERT_FILE=/run/secrets/ca PIP_CERT=/run/secrets/ca; fi \
 && awk '/^[^ ]/ {wanted = /^uv==/} wanted' requirements.lock > uv.lock \
 && python3 -m venv /opt/tools \
 && /opt/tools/bin/pip install --no-cache-dir --no-deps --require-hashes --requirement uv.lock \
 && export UV_NO_CACHE=1 UV_LINK_MODE=copy \
 && /opt/tools/bin/uv pip install --python /opt/tools --require-hashes --constraints requirements.lock --group build \
 && /opt/tools/bin/uv venv --python /usr/bin/python3 /opt/gridwright \
 && /opt/tools/bin/uv pip install --python /opt/gridwright --require-hashes --constraints requirements.lock \
      --requirements pyproject.toml \
 && find /opt/gridwright -type d -name tests -prune -exec rm -rf {} + \
 && cd /opt/gridwright/lib/python3*/site-packages \
 && rm -r kubernetes/aio \
 && strip --strip-unneeded llvmlite/binding/*.so ml_dtypes/*.so ortools/.libs/libortools.so.* rapidjson*.so \
      aiohttp/*.so multidict/*.so regex/*.so yaml/*.so cryptography/hazmat/bindings/*.so \
 && find sqlalchemy -name '*.so' -exec strip --strip-unneeded {} + \
 && /opt/gridwright/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/gridwright/lib
COPY . .
# By pip, as uv notes the time of a wheel that is a file.
RUN /opt/tools/bin/uv build --wheel --offline --no-build-isolation --python /opt/tools \
 && /opt/tools/bin/pip --python /opt/gridwright/bin/python install --no-index --no-deps --no-compile dist/*.whl \
 && cd /opt/gridwright/lib/python3*/site-packages \
 && /opt/gridwright/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash policy collectors rules controller

FROM python
ARG SOURCE_DATE_EPOCH
# What a policy's repository is read with, but for Perl's library, which git's other commands want.
RUN printf 'path-exclude %s\n' '/usr/share/perl/5*' '/usr/lib/*/perl/5*' > /etc/dpkg/dpkg.cfg.d/perl \
 && apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates git openssh-client \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/ldconfig/* /var/log/* /var/cache/debconf/*-old /var/lib/dpkg/*-old
# The client of ssh asks for an account of whoever runs it.
RUN groupadd --gid 65532 gridwright \
 && useradd --uid 65532 --gid 65532 --home-dir /data --no-create-home --shell /usr/sbin/nologin gridwright \
 && install --directory --owner=65532 --group=65532 /data
COPY --from=build /opt/gridwright /opt/gridwright
ENV PATH=/opt/gridwright/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    XDG_CACHE_HOME=/data/.cache NUMBA_CACHE_DIR=/data/.cache/numba
LABEL org.opencontainers.image.title="Gridwright" \
      org.opencontainers.image.description="Keeps what a policy promises of neural networks served on NVIDIA Triton" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /data
VOLUME /data
USER 65532:65532
ENTRYPOINT ["gridwright"]
CMD ["--help"]
