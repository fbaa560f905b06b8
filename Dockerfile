# The operator's image: any base with Python 3.11 or later, and the packages of requirements.lock on top.
#
# `make operator-image` prepares build/operator-image/packages on this machine, for the base's own version of Python,
# and hash by hash; so the build itself needs no package index. BASE is any such image, also by digest.
ARG BASE=docker.io/library/python:3.13-slim
FROM ${BASE}
COPY packages /opt/kcompanion
# compiled here, since the running container may not write
RUN python3 -m compileall -q -j 0 /opt/kcompanion
# USER: Kopf asks who runs it, and this uid stands in no passwd file
ENV PYTHONPATH=/opt/kcompanion PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp USER=kcompanion
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["python3", "-m", "kcompanion"]
CMD ["operator", "run", "-A", "--listen", "0.0.0.0:8080"]
