-- One row: what could not be used, and messages about alerts that were given up, in the range.
with rejected as (
    select count(*) as rejected
    from mart.quarantine
    where $__timeFilter(received_at)
),

dead as (
    select count(*) as dead_letters
    from mart.alert_delivery
    where status = 'dead' and $__timeFilter(attempted_at)
)

select
    r.rejected,
    d.dead_letters
from rejected as r
cross join dead as d;
