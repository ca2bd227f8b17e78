-- The state that held longest in each interval of each machine: 0 off, 1 idle, 2 set-up, 3 cutting.
with spent as (
    select
        $__timeGroupAlias(i.starts_at, $__interval),
        i.asset,
        sum(i.amount) filter (where i.role = 'cutting_time') as cutting_h,
        coalesce(sum(i.amount) filter (where i.role = 'setup_time'), 0) as setup_h,
        coalesce(sum(i.amount) filter (where i.role = 'idle_time'), 0) as idle_h,
        sum(extract(epoch from i.ends_at - i.starts_at) - i.missing_s)
        filter (where i.role = 'cutting_time') / 3600 as known_h
    from mart.kpi_interval as i
    where i.site in (${site:sqlstring}) and i.kind = 'machine' and $__timeFilter(i.starts_at)
    group by 1, 2
),

parted as (
    select
        s.time,
        s.asset,
        s.known_h,
        s.cutting_h,
        s.setup_h,
        s.idle_h,
        s.known_h - s.cutting_h - s.setup_h - s.idle_h as off_h
    from spent as s
)

select
    p.time,
    p.asset as metric,
    case
        when p.known_h > 0
            then case greatest(p.cutting_h, p.setup_h, p.idle_h, p.off_h)
                when p.cutting_h then 3 when p.setup_h then 2 when p.idle_h then 1 else 0
            end
    end as state
from parted as p
order by p.time, p.asset;
