"""Types that modules name in annotations."""

import json
from datetime import datetime, timedelta, timezone

from tenter.values import json_text

UTC = timezone.utc
AwareDatetime = datetime
T2Datetime = datetime
TimeDelta = timedelta
ParsedTimedelta = timedelta


class DP3Encoder(json.JSONEncoder):
    """Prints times, addresses and sets as JSON."""

    def default(self, o):
        return json.loads(json_text(o))
