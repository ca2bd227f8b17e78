-- The last state of each point in each interval as a code: 1 open, running or active, 0 closed or idle, 2 another word.
with word as (
    select
        $__timeGroupAlias(r.read_at, $__interval, previous),
        r.point as metric,
        case
            when lower(r.text) in ('open', 'on', 'running', 'active', 'true', '1') then 1
            when lower(r.text) in ('closed', 'off', 'stopped', 'idle', 'ready', 'false', '0') then 0
            else 2
        end as state,
        row_number() over (
            partition by r.point, $__timeGroup(r.read_at, $__interval) order by r.read_at desc, r.received_at desc
        ) as nth
    from mart.reading as r
    where
        r.site in (${site:sqlstring})
        and r.asset in (${asset:sqlstring})
        and r.text is not null
        and $__timeFilter(r.read_at)
)

select
    w.time,
    w.metric,
    w.state
from word as w
where w.nth = 1
order by w.time, w.metric;
