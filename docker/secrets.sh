#!/bin/sh
# Make the secrets that compose.yaml reads, each in a file of docker/secrets; what is there is kept.
set -eu
cd "$(dirname "$0")"
folder=${EVERMODEL_SECRETS:-secrets}
# The folder is closed to others; its files are not, because a container's user has to read them.
mkdir -p "$folder" && chmod 0700 "$folder"
keep() {
  test -e "$folder/$1" || printf %s "$2" > "$folder/$1"
  chmod 0644 "$folder/$1"
}
for name in postgres_password airflow_database_password mlflow_database_password studies_database_password redis_password \
  api_secret_key jwt_secret admin_password serving_token; do
  keep "$name" "$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"
done
keep fernet_key "$(head -c 32 /dev/urandom | base64 | tr '+/' '-_')"
# Empty, which is enough where tasks may fetch without a login; else a line https://USER:TOKEN@HOST.
keep git_fetch ""
keep git_push ""
echo "Secrets are in $(cd "$folder" && pwd). Airflow's login: admin, password in admin_password."
echo "git_push has to let the default worker push branches: put a line https://USER:TOKEN@HOST into it."
