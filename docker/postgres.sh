#!/bin/sh
# Run once by PostgreSQL's image, on an empty volume: a role and a database each for Airflow, MLflow and studies.
set -eu
for name in airflow mlflow studies; do
  psql --username postgres --set ON_ERROR_STOP=1 --set name="$name" \
    --set password="$(cat "/run/secrets/${name}_database_password")" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
SQL
done
