"""What the tool does here beyond its own: redirects are answers and are not followed, and the form of
answer is the one the run asks for."""

import os

import schemathesis

ACCEPT = os.environ["SUYUAN_ACCEPT"]


@schemathesis.hook
def before_call(context, case, kwargs):
    kwargs["allow_redirects"] = False
    case.headers.setdefault("Accept", ACCEPT)
