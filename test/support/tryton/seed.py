"""Fills a Tryton database that has its modules and nothing else with the retailer described on standard input.

usage: /usr/bin/python3 seed.py TRYTOND_CONF DATABASE < retailer.json
Prints JSON: the ids Tryton gave to what a configuration names. One transaction: a database is filled whole or not at all.
Orders that are still open go through Tryton's own workflow (quote, confirm, process, assign, pick, pack, do), so that their
shipments and moves are what Tryton makes of them; orders that ended long ago are written down as ended.
"""
import datetime
import json
import sys
from decimal import Decimal

from trytond.config import config

config.update_etc(sys.argv[1])

from trytond.pool import Pool  # noqa: E402 -- reads the configuration when it is imported
from trytond.transaction import Transaction  # noqa: E402

DATABASE = sys.argv[2]
TODAY = datetime.date.today()
# Planned moves of today and later are in Tryton's forecast, overdue ones are not.
PLANNED = TODAY + datetime.timedelta(days=1)

UNITS = {'PIECE': 'u', 'GRAM': 'g', 'MILLILITER': 'ml', 'MILLIMETER': 'mm'}
# How far an order that is still open goes through the workflow, and what one that ended is written down as.
OPEN = {'paid': 0, 'released': 0, 'picking': 1, 'packed': 3, 'shipped': 4}
ENDED = {'received': 'draft', 'validated': 'confirmed', 'canceled': 'cancelled'}


def model(name):
    return Pool().get(name)


def make_company(given):
    currency, = model('currency.currency').create([{
        'name': given['currency'], 'symbol': given['currency'], 'code': given['currency'],
        'rounding': Decimal('0.01'), 'digits': 2,
        'rates': [('create', [{'date': datetime.date(2000, 1, 1), 'rate': Decimal(1)}])],
    }])
    party, = model('party.party').create([{'name': given['name'], 'code': 'COMPANY'}])
    company, = model('company.company').create([{'party': party.id, 'currency': currency.id}])
    return company


def make_user(given, company):
    groups = model('res.group').search([('name', 'in', ['Sales', 'Stock'])])
    model('res.user').create([{
        'name': 'Mortar', 'login': given['login'], 'password': given['password'],
        'companies': [('add', [company.id])], 'company': company.id,
        'groups': [('add', [group.id for group in groups])],
    }])


def make_countries(codes):
    created = model('country.country').create([{'name': code, 'code': code} for code in sorted(codes)])
    return {country.code: country.id for country in created}


def make_units():
    Uom = model('product.uom')
    volume, = model('product.uom.category').search([('name', '=', 'Volume')])
    liter, = Uom.search([('symbol', '=', 'l')])
    Uom.create([{
        'name': 'Milliliter', 'symbol': 'ml', 'category': volume.id, 'digits': 0,
        'rate': liter.rate * 1000, 'factor': round(liter.factor / 1000, 12), 'rounding': 1.0,
    }])
    found = {unit.symbol: unit.id for unit in Uom.search([('symbol', 'in', list(UNITS.values()))])}
    return {name: found[symbol] for name, symbol in UNITS.items() if symbol in found}


def make_warehouses(given):
    Location = model('stock.location')
    ids = {}
    for place in given:
        zones = Location.create([
            {'name': f"{place['name']} {zone}", 'code': f"{place['code']}-{zone}", 'type': 'storage'}
            for zone in ('input', 'output', 'storage')])
        warehouse, = Location.create([{
            'name': place['name'], 'code': place['code'], 'type': 'warehouse',
            'input_location': zones[0].id, 'output_location': zones[1].id, 'storage_location': zones[2].id,
        }])
        Location.write(zones, {'parent': warehouse.id})
        ids[place['code']] = warehouse.id
    return ids


def make_products(given, units):
    Category = model('product.category')
    names = sorted({product['category'] for product in given})
    categories = {category.name: category.id for category in Category.create([{'name': name} for name in names])}
    templates = model('product.template').create([{
        'name': product['title'], 'type': 'goods', 'default_uom': units[product['baseUnit']],
        'list_price': Decimal(product['price']), 'salable': True, 'sale_uom': units[product['baseUnit']],
        'categories': [('add', [categories[product['category']]])],
        'products': [('create', [{
            'suffix_code': product['sku'],
            'identifiers': [('create', [{'type': 'ean', 'code': product['gtin']}])] if product['gtin'] else [],
        }])],
    } for product in given])
    return {template.products[0].code: template.products[0] for template in templates}


def make_parties(given, countries, category):
    def mechanisms(party):
        found = [('email', party['email']), ('mobile', party['phone'])]
        return [{'type': kind, 'value': value} for kind, value in found if value]

    def addresses(party):
        address = party['address']
        if address is None:
            return [{}]
        return [{
            'street': address['street'], 'city': address['city'], 'postal_code': address['postalCode'],
            'country': countries[address['country']],
        }]

    created = model('party.party').create([{
        'name': party['name'], 'code': party['code'], 'categories': [('add', [category.id])],
        'addresses': [('create', addresses(party))],
        'contact_mechanisms': [('create', mechanisms(party))],
    } for party in given])
    return {party.code: party for party in created}


def move(product, quantity, source, target, company, **more):
    return {
        'product': product.id, 'uom': product.default_uom.id, 'quantity': quantity,
        'from_location': source, 'to_location': target, 'company': company.id,
        'currency': company.currency.id, 'unit_price': Decimal(0), **more,
    }


def locate(kind):
    return model('stock.location').search([('type', '=', kind)], limit=1)[0].id


def fill_shelves(retailer, products, warehouses, company):
    """On hand of the world, and besides what orders that are shipped on the way take away again."""
    Location, Move = model('stock.location'), model('stock.move')
    shipped = {}
    for order in retailer['orders']:
        if order['stage'] == 'shipped' and order['place'] in warehouses:
            for line in order['lines']:
                key = (line['sku'], order['place'])
                shipped[key] = shipped.get(key, 0) + line['quantity']
    storage = {code: Location(id).storage_location.id for code, id in warehouses.items()}
    found, supplier = locate('lost_found'), locate('supplier')
    done, planned = [], []
    known = {(row['sku'], row['place']): row for row in retailer['stock']}
    for key in sorted(set(known) | set(shipped)):
        sku, place = key
        quantity = known.get(key, {}).get('onHand', 0) + shipped.get(key, 0)
        if quantity > 0:
            done.append(move(products[sku], quantity, found, storage[place], company))
        incoming = known.get(key, {}).get('incoming', 0)
        if incoming > 0:
            planned.append(move(products[sku], incoming, supplier, storage[place], company, planned_date=PLANNED))
    # As an import writes an opening stock down: `do` would work out a cost price for each.
    Move.write(Move.create(done), {'state': 'done', 'effective_date': TODAY, 'cost_price': Decimal(0)})
    Move.create(planned)


def sale_of(order, parties, products, warehouses, company):
    party = parties[order['party']]
    address = party.addresses[0].id
    # The country house rule: what no warehouse of ours serves (a pick-up in a store) is delivered by hand.
    served = order['place'] in warehouses
    return {
        'company': company.id, 'currency': company.currency.id, 'reference': order['orderNumber'],
        'description': order['channel'], 'party': party.id,
        'sale_date': datetime.date.fromisoformat(order['placedOn']),
        'invoice_address': address, 'shipment_address': address,
        'warehouse': warehouses[order['place']] if served else next(iter(warehouses.values())),
        'invoice_method': 'manual', 'shipment_method': 'order' if served else 'manual',
        'lines': [('create', [{
            'type': 'line', 'product': products[line['sku']].id, 'quantity': line['quantity'],
            'unit': products[line['sku']].default_uom.id, 'unit_price': Decimal(line['unitPrice']),
        } for line in order['lines']])],
    }


def take_orders(retailer, parties, products, warehouses, company):
    Sale = model('sale.sale')
    orders = retailer['orders']
    sales = Sale.create([sale_of(order, parties, products, warehouses, company) for order in orders])
    opened = [(sale, OPEN[order['stage']]) for sale, order in zip(sales, orders)
              if order['stage'] in OPEN and order['place'] in warehouses]
    open_ids = {sale.id for sale, _ in opened}
    Sale.set_number([sale for sale, order in zip(sales, orders) if ENDED.get(order['stage']) != 'draft'])
    ended = {}
    for sale, order in zip(sales, orders):
        if sale.id in open_ids:
            continue
        state = ENDED.get(order['stage'], 'processing' if order['stage'] in OPEN or order['stage'] == 'readyForPickup' else 'done')
        ended.setdefault(state, []).append(sale)
    for state, group in ended.items():
        Sale.write(group, {'state': state, **({'shipment_state': 'sent'} if state == 'done' else {})})
    ship([sale for sale, _ in opened], {sale.id: steps for sale, steps in opened})


def ship(sales, steps):
    """One order at a time: Tryton reads everything of a batch again after each of its writes."""
    Sale, Shipment, Move = model('sale.sale'), model('stock.shipment.out'), model('stock.move')
    for sale in sales:
        for step in (Sale.quote, Sale.confirm, Sale.process):
            step([Sale(sale.id)])
        shipments = [shipment.id for shipment in Sale(sale.id).shipments]
        moves = [move.id for shipment in Shipment.browse(shipments) for move in shipment.moves]
        Shipment.write(Shipment.browse(shipments), {'planned_date': PLANNED})
        Move.write(Move.browse(moves), {'planned_date': PLANNED})
        Shipment.wait(Shipment.browse(shipments))
        for step in (Shipment.assign_try, Shipment.pick, Shipment.pack, Shipment.done)[:steps[sale.id]]:
            step(Shipment.browse(shipments))


def main():
    retailer = json.load(sys.stdin)
    Pool.start()
    with Transaction().start(DATABASE, 0):
        Pool(DATABASE).init()
    with Transaction().start(DATABASE, 1) as transaction:
        company = make_company(retailer['company'])
        model('res.user').write([model('res.user')(1)], {'companies': [('add', [company.id])], 'company': company.id})
        with transaction.set_context(company=company.id, _skip_warnings=True):
            make_user(retailer['user'], company)
            countries = make_countries({party['address']['country'] for party in retailer['parties'] if party['address']})
            units = make_units()
            warehouses = make_warehouses(retailer['warehouses'])
            products = make_products(retailer['products'], units)
            category, = model('party.category').create([{'name': 'Customer'}])
            parties = make_parties(retailer['parties'], countries, category)
            fill_shelves(retailer, products, warehouses, company)
            take_orders(retailer, parties, products, warehouses, company)
        transaction.commit()
        print(json.dumps({
            'company': company.id, 'warehouses': warehouses, 'category': category.id, 'customers': locate('customer'), 'lost': locate('lost_found'),
        }))


main()
