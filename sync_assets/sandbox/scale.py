"""How large a synthetic account is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Sizes of the lists: those below a parent are means, or with `exact` the size of each.

    With `exact` time stands still, there are no drafts and no list is empty.
    """

    promotions: int = 30
    organizing_brands: int = 6
    stages: int = 3
    users: int = 60
    participations: int = 100
    prizes: int = 20
    rankings: int = 40
    affiliates: int = 120
    coupons: int = 150
    referrals: int = 350
    event_series: int = 8
    events: int = 20
    waitlists: int = 15
    products: int = 12
    vouchers: int = 10
    voucher_codes: int = 40
    discounts: int = 6
    orders: int = 1800
    exact: bool = False
