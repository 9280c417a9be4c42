"""What a failed task says: to its log and, where Airflow has the connection `evermodel_failures`, to people.

A connection of type `http` is a webhook that gets {"text": …}, one of type `smtp` a mail server.
"""

import logging

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

CONNECTION = "evermodel_failures"
SECONDS = 30  # for which a failed task waits for a webhook
# Airflow's notifiers render what they send: an error's own words go in as a value, never as a template.
TEXT, MARKUP = "{{ explanation }}", "<p>{{ explanation | escape }}</p>"


def explain(advice):
    """A callback that says what failed, where its log is, and what to do."""

    def callback(context):
        failed = context["ti"]
        explanation = (
            f"{failed.task_id} of {failed.dag_id} failed in run {failed.run_id} "
            f"({context.get('exception')}). {advice} Log: {failed.log_url}"
        )
        logging.getLogger("evermodel").error("%s", explanation)
        try:
            connection = Connection.get(CONNECTION)
        except AirflowNotFoundException:
            return
        notifier(connection)({**context, "explanation": explanation})

    return callback


def notifier(connection):
    """Airflow's own notifier for the type of a connection; ValueError if there is none."""
    if connection.conn_type == "http":
        from airflow.providers.http.notifications.http import HttpNotifier

        return HttpNotifier(http_conn_id=CONNECTION, json={"text": TEXT}, extra_options={"timeout": SECONDS})
    if connection.conn_type == "smtp" and "to" in connection.extra_dejson:
        from airflow.providers.smtp.notifications.smtp import SmtpNotifier

        return SmtpNotifier(
            smtp_conn_id=CONNECTION,
            to=connection.extra_dejson["to"],
            subject="{{ ti.task_id }} of {{ ti.dag_id }} failed",
            html_content=MARKUP,
        )
    raise ValueError(
        f"the connection {CONNECTION} can tell nobody; let its type be http, or smtp with `from_email` and "
        "`to` in its extra"
    )
