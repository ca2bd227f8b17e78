-- One row a furnace and local day: hours that it was hot, waited hot with nothing to forge, and was overheated; pieces.
create or replace view mart.furnace_daily as
with each_interval as (
    select
        i.site,
        i.asset,
        i.starts_at,
        i.day,
        sum(i.amount) filter (where i.role = 'hot_time') as hot_h,
        sum(i.amount) filter (where i.role = 'overheated_time') as overheated_h,
        sum(i.amount) filter (where i.role = 'overheated_area') as overheated_area,
        sum(i.amount) filter (where i.role = 'heater_time') as heater_h,
        sum(i.amount) filter (where i.role = 'energy') as energy_kwh,
        sum(i.amount) filter (where i.role = 'good') as good_pieces,
        sum(i.amount) filter (where i.role = 'scrap') as scrap_pieces,
        count(*) filter (where i.role in ('good', 'scrap') and i.amount is not null) as counts,
        sum(i.amount) filter (where i.role = 'temperature_area') as temperature_area,
        sum(i.missing_s) filter (where i.role = 'hot_time') as missing_s,
        max(extract(epoch from i.ends_at - i.starts_at)) filter (where i.role = 'hot_time') as lasts_s
    from mart.kpi_interval as i
    where i.kind = 'furnace'
    group by i.site, i.asset, i.starts_at, i.day
)

select
    e.site,
    e.asset,
    e.day,
    sum(e.hot_h) as hot_h,
    sum(e.hot_h) filter (
        where e.counts > 0 and coalesce(e.good_pieces, 0) + coalesce(e.scrap_pieces, 0) = 0
    ) as waiting_hot_h,
    sum(e.overheated_h) * 60 as overheated_min,
    sum(e.overheated_area) * 60 as overheated_degree_min,
    sum(e.heater_h) as heater_h,
    sum(e.energy_kwh) as energy_kwh,
    sum(e.energy_kwh) filter (
        where e.hot_h > 0 and e.counts > 0 and coalesce(e.good_pieces, 0) + coalesce(e.scrap_pieces, 0) = 0
    ) as waiting_hot_kwh,
    sum(e.good_pieces) as good_pieces,
    sum(e.scrap_pieces) as scrap_pieces,
    sum(e.good_pieces) / nullif(sum(e.good_pieces) + sum(e.scrap_pieces), 0) as yield_share,
    sum(e.energy_kwh) / nullif(sum(e.good_pieces), 0) as kwh_per_piece,
    sum(e.temperature_area) / nullif(sum(e.lasts_s - e.missing_s) / 3600, 0) as mean_c,
    sum(e.lasts_s - e.missing_s) / 3600 as known_h
from each_interval as e
group by e.site, e.asset, e.day;
