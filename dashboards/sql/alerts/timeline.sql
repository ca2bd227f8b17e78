-- The gravest open episode of each subject in each interval, as a code: 0 none, 1 info, 2 warning, 3 critical.
with episode as (
    select
        e.subject,
        e.opened_at,
        coalesce(e.closed_at, cast($__timeTo() as timestamp)) as closed_at,
        case e.severity when 'critical' then 3 when 'warning' then 2 else 1 end as code
    from mart.alert_episode as e
    where
        e.site in (${site:sqlstring})
        and e.opened_at <= $__timeTo()
        and (e.closed_at is null or e.closed_at >= $__timeFrom())
),

grid as (
    select g.begins_at
    from generate_series(
        cast($__timeFrom() as timestamp),
        cast($__timeTo() as timestamp),
        $__interval_ms * interval '1 millisecond'
    ) as g (begins_at)
),

subject as (
    select distinct e.subject
    from episode as e
)

select
    g.begins_at as time,
    s.subject as metric,
    coalesce(max(e.code), 0) as severity
from grid as g
cross join subject as s
left join episode as e
    on
        s.subject = e.subject
        and g.begins_at <= e.closed_at
        and g.begins_at + $__interval_ms * interval '1 millisecond' > e.opened_at
group by g.begins_at, s.subject
order by g.begins_at, s.subject;
