-- One row: rejected readings and messages against the readings that arrived.
with rejected as (
    select count(*) as rejected
    from mart.quarantine
    where $__timeFilter(received_at)
),

arrived as (
    select count(*) as readings
    from mart.reading
    where $__timeFilter(received_at)
)

select cast(r.rejected as double precision) / greatest(r.rejected + a.readings, 1) as rejected_share
from rejected as r
cross join arrived as a;
