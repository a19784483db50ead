# The page and its API in a container: docker build -t dermseg .
#
# From other machines the container is reached under the names that --host gives:
#   docker run --rm -p 127.0.0.1:8765:8765 -v "$PWD/photos:/photos" -e DERMSEG_PASSWORD=... dermseg
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src ./src
RUN python -m venv /opt/dermseg \
    && /opt/dermseg/bin/pip install --no-cache-dir --disable-pip-version-check \
        -c constraints.txt '.[serve,postgresql]'

FROM python:3.13-slim
COPY --from=build /opt/dermseg /opt/dermseg
RUN useradd --create-home --uid 1000 dermseg && mkdir /photos && chown dermseg /photos
USER 1000
ENV PATH=/opt/dermseg/bin:$PATH PYTHONUNBUFFERED=1
VOLUME /photos
EXPOSE 8765
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["python", "-c", \
    "import urllib.request as r; r.urlopen('http://127.0.0.1:8765/health/ready', timeout=4)"]
# Inside a container only its own network reaches 0.0.0.0; a password is asked for all the same.
ENTRYPOINT ["dermseg", "serve", "--listen", "0.0.0.0"]
CMD ["/photos"]
