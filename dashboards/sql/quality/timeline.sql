-- The worst quality in each interval, as a code (0 measured, 1 estimated, 2 partial, 3 missing), of the twelve meters
-- of which most was not measured.
with unsure as (
    select
        i.point,
        row_number() over (
            order by count(*) filter (where i.missing_s > 0) desc, count(*) desc, i.point asc
        ) as place
    from mart.energy_interval as i
    where i.site in (${site:sqlstring}) and $__timeFilter(i.starts_at) and i.quality <> 'measured'
    group by i.point
)

select
    $__timeGroupAlias(i.starts_at, $__interval),
    i.point as metric,
    max(case i.quality when 'measured' then 0 when 'estimated' then 1 when 'partial' then 2 else 3 end) as quality
from mart.energy_interval as i
inner join unsure as u on i.point = u.point
where i.site in (${site:sqlstring}) and $__timeFilter(i.starts_at) and u.place <= 12
group by 1, 2
order by 1, 2;
