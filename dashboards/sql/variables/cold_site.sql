-- Sites whose file has rooms or compressors among its key figures.
select distinct k.site
from mart.kpi as k
where k.kind in ('room', 'compressor')
union all
select '-' as site
where
    not exists (
        select 1 from mart.kpi as k
        where k.kind in ('room', 'compressor')
    )
order by 1;
