"""The affiliates API: those who recommend a shop, and what comes of it."""

from sync_assets.sandbox.affiliates.affiliates import affiliates
from sync_assets.sandbox.affiliates.coupons import coupons
from sync_assets.sandbox.affiliates.referrals import referrals
from sync_assets.sandbox.resource import Resource

RESOURCES = (
    Resource("affiliates", "/v1/affiliates", affiliates),
    Resource("coupons", "/v1/coupons", coupons),
    Resource("referrals", "/v1/referrals", referrals),
)
