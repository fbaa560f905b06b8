"""The words with which admission refuses a pod, and how a rule finds its own among them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kcompanion.explain.rules.shortage import Refusal, about, refused
from kcompanion.model.snapshot import Object
from kcompanion.model.world import World

# Messages of the admission plugins: k8s.io/apiserver/pkg/admission/plugin/{resourcequota,webhook,policy,namespace} and
# k8s.io/kubernetes/plugin/pkg/admission/{limitranger,serviceaccount,priority,runtimeclass}, 1.33 to 1.37.
OVER_QUOTA = re.compile(
    r"exceeded quota: (?P<quota>\S+), requested: (?P<requested>.*?), "
    r"used: (?P<used>.*?), limited: (?P<limited>[^\s;\]]+)"
)
NO_NUMBERS = re.compile(r"failed quota: (?P<quota>\S+?): must specify (?P<what>.+)")
NO_COVER = re.compile(r"insufficient quota to (?:consume|match these scopes): (?P<what>.+)")
QUOTA_NEW = re.compile(r"status unknown for quota: (?P<quota>\S+?), resources: (?P<what>.+)")
LIMIT = re.compile(r"(?P<bound>maximum|minimum) (?P<resource>\S+) usage per (?P<type>\w+) is (?P<limit>[^\s,]*[^\s,.])")
RATIO = re.compile(r"(?P<resource>\S+) max limit to request ratio per (?P<type>\w+) is (?P<limit>[^\s,]+)")
DENIED = re.compile(r'admission webhook "(?P<hook>[^"]+)" denied the request(?: without explanation|: (?P<said>.*))?')
UNCALLED = re.compile(r'failed calling webhook "(?P<hook>[^"]+)"[:;] (?P<said>.*)')
POLICY = re.compile(
    r"ValidatingAdmissionPolicy '(?P<policy>[^']+)'(?: with binding '(?P<binding>[^']+)')? denied request: (?P<said>.*)"
)
SECURITY = re.compile(r'violates PodSecurity "(?P<level>[^":]+)(?::(?P<version>[^"]+))?": (?P<said>.*)')
ACCOUNT = re.compile(r"error looking up service account [^/\s]+/(?P<account>[^:\s]+): ")
PRIORITY = re.compile(r"no PriorityClass with name (?P<class>\S+) was found")
TERMINATING = re.compile(r"unable to create new content in namespace (?P<where>\S+) because it is being terminated")
RUNTIME = re.compile(r'RuntimeClass "(?P<class>[^"]+)" not found')
OVERHEAD = re.compile(r"Pod's Overhead doesn't match|Pod Overhead set without")
KNOWN = (
    *(OVER_QUOTA, NO_NUMBERS, NO_COVER, QUOTA_NEW, LIMIT, RATIO, DENIED, UNCALLED, POLICY, SECURITY),
    *(ACCOUNT, PRIORITY, TERMINATING, RUNTIME, OVERHEAD),
)


def said_by(item: Object, world: World, *patterns: re.Pattern[str]) -> Iterator[tuple[Refusal, re.Match[str]]]:
    """The refusal, when one of these patterns is in it."""
    answer = refused(item, world)
    if answer is None:
        return
    for pattern in patterns:
        if found := pattern.search(answer.message):
            yield answer, found
            return


def describe(item: Object) -> str:
    ref = about(item)
    return f"kubectl describe {ref.kind.lower()} {ref.name} -n {ref.namespace}"
